import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { describePanel } from './describe-panel.ts';
import type { PanelDescription } from './describe-panel.ts';
import { tableQuery } from './queries.ts';

/** A column of numbers: one query, one value a row. */
export interface TableColumn {
  title: string;
  expression: string;
  /** An id of Grafana's. */
  unit: string;
}

/** What identifies a row. */
export interface RowLabel {
  label: string;
  title: string;
  /** Address to open for a row. */
  link: { title: string; url: string };
}

/** One row a value of a label, one column a query, the largest in the last column first. */
export function tablePanel(
  description: PanelDescription,
  row: RowLabel,
  columns: readonly TableColumn[],
): PanelBuilder {
  const refIdOf = (index: number): string => String.fromCodePoint('A'.codePointAt(0)! + index);
  const panel = new PanelBuilder()
    // One frame a query becomes one frame with a column a query, joined by the label and the one time that all share.
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([
          [row.label, 0],
          ...columns.map((_, index) => [`Value #${refIdOf(index)}`, index + 1]),
        ]) as Record<string, number>,
        renameByName: Object.fromEntries([
          [row.label, row.title],
          ...columns.map(({ title }, index) => [`Value #${refIdOf(index)}`, title]),
        ]) as Record<string, string>,
      },
    })
    .sortBy([new TableSortByFieldStateBuilder().displayName(columns.at(-1)!.title).desc(true)])
    .overrideByName(row.title, [property('links', [row.link])]);
  for (const { title, unit } of columns) panel.overrideByName(title, [property('unit', unit)]);
  return describePanel(
    panel,
    description,
    columns.map(({ expression }, index) => tableQuery(expression, refIdOf(index))),
  );
}

function property(id: string, value: unknown): DynamicConfigValue {
  return { id, value };
}
