"""Files for others: tables as Parquet and workbooks, their descriptions, IATI and 360Giving. Values in, bytes out."""
