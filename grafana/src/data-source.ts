import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** The ClickHouse that the reader chose in the dashboard of exact percentiles. */
export const CHOSEN_CLICKHOUSE: DataSourceRef = { type: 'grafana-clickhouse-datasource', uid: '${datasource}' };

/** The Prometheus that the reader chose in the dashboard; every panel and variable asks it. */
export const CHOSEN_PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
