import { BarGaugeDisplayMode, ReduceDataOptionsBuilder, VizOrientation } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as BarGaugePanelBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import { FieldColorBuilder, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanelBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { describePanel } from './describe-panel.ts';
import type { PanelDescription } from './describe-panel.ts';
import { distributionQuery, heatmapQuery } from './queries.ts';

/** How many took how long, over time; single traces stand on it as points to open. */
export function heatmapPanel(description: PanelDescription, bucketExpression: string): HeatmapPanelBuilder {
  const panel = new HeatmapPanelBuilder()
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(description.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Blues').steps(32))
    .exemplarsColor('rgba(255, 0, 255, 0.7)')
    .showLegend();
  return describePanel(panel, description, [heatmapQuery(bucketExpression)]);
}

/** How many took how long over the whole range on show, one bar a bucket. */
export function distributionPanel(description: PanelDescription, bucketExpression: string): BarGaugePanelBuilder {
  const panel = new BarGaugePanelBuilder()
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .min(0)
    .decimals(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor('blue'))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return describePanel(panel, description, [distributionQuery(bucketExpression)]);
}
