import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { MappingType, SpecialValueMatch } from '@grafana/grafana-foundation-sdk/dashboard';
import type { ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { CHOSEN_PROMETHEUS } from '../data-source.ts';

/** What a panel shows where nothing was counted. */
const NO_TRAFFIC = 'No traffic';

/** What every panel says about itself, and how large it is. */
export interface PanelDescription {
  title: string;
  /** What the panel shows, in a sentence or two. */
  shows: string;
  /** Names of the metrics that it rests on; of columns, where it asks ClickHouse. */
  metrics: readonly string[];
  /** @defaultValue the Prometheus that the reader chose */
  datasource?: DataSourceRef;
  /** What a reader might expect in it and will not find. */
  notCounted: string;
  /** Unit of its values, an id of Grafana's. */
  unit: string;
  /** Shown where there is no value. @defaultValue `'No traffic'` */
  noValue?: string;
  /** Columns of 24. */
  width: number;
  /** Rows of some 30 pixels. */
  height: number;
}

/** What the builders of all kinds of panels have in common. */
interface PanelSettings {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: DataSourceRef): this;
  unit(unit: string): this;
  noValue(text: string): this;
  mappings(mappings: ValueMapping[]): this;
  span(columns: number): this;
  height(rows: number): this;
  targets(targets: Builder<Dataquery>[]): this;
}

/** Gives `panel` what every panel must have: its words, its unit, its queries, and a text where there is no value. */
export function describePanel<Panel extends PanelSettings>(
  panel: Panel,
  {
    title,
    shows,
    metrics,
    notCounted,
    unit,
    datasource = CHOSEN_PROMETHEUS,
    noValue = NO_TRAFFIC,
    width,
    height,
  }: PanelDescription,
  queries: Builder<Dataquery>[],
): Panel {
  const metricNames = metrics.map((metric) => `\`${metric}\``).join(', ');
  return panel
    .title(title)
    .description(
      `${shows}\n\n${datasource === CHOSEN_PROMETHEUS ? 'Metric' : 'Columns'}: ${metricNames}.\n\nNot counted: ${notCounted}`,
    )
    .datasource(datasource)
    .unit(unit)
    .noValue(noValue)
    .mappings([
      {
        type: MappingType.SpecialValue,
        options: { match: SpecialValueMatch.NullAndNan, result: { text: noValue, index: 0 } },
      },
    ])
    .span(width)
    .height(height)
    .targets(queries);
}
