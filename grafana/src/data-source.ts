import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

/** The Prometheus that the reader chose in the dashboard; every panel and variable asks it. */
export const CHOSEN_PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
