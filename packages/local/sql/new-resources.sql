-- Adds resources. The lists hold one value per resource, at the same position.
INSERT INTO resources
SELECT
  unnest($resource_ids::UINTEGER[]),
  unnest($service_names::VARCHAR[]),
  unnest($sampling_ratios::DOUBLE[]),
  unnest($scope_names::VARCHAR[]),
  unnest($scope_versions::VARCHAR[]),
  unnest($attributes::VARCHAR[])
