import { BigValueColorMode, BigValueGraphMode, ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { describePanel } from './describe-panel.ts';
import type { PanelDescription } from './describe-panel.ts';
import { valueQuery } from './queries.ts';

/** One value for the whole range on show. */
export function valuePanel(description: Omit<PanelDescription, 'height'>, expression: string): PanelBuilder {
  const panel = new PanelBuilder()
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return describePanel(panel, { ...description, height: 4 }, [valueQuery(expression)]);
}
