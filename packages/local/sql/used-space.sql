-- Bytes of the file that hold something; after deletes the file keeps its size.
SELECT used_blocks * block_size AS used_bytes FROM pragma_database_size() ORDER BY database_name LIMIT 1
