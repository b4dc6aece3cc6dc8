"""The shop in DynamoDB."""
