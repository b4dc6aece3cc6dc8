"""What is shipped besides the code: that its parts agree with each other and with the code."""
