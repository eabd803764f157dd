-- The bytes of the store's file that are in use. Deleted rows count until their row group has been freed.
SELECT used_blocks * block_size AS used_bytes
FROM pragma_database_size()
WHERE database_name = current_database()
ORDER BY database_name
