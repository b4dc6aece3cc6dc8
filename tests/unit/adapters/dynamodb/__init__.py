"""The DynamoDB adapter without DynamoDB."""
