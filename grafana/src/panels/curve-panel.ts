import {
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  StackingConfigBuilder,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { describePanel } from './describe-panel.ts';
import type { PanelDescription } from './describe-panel.ts';

/** Curves over time, one colour a name: a step looks the same in every panel. */
export function curvePanel(description: PanelDescription, queries: Builder<Dataquery>[]): PanelBuilder {
  const panel = new PanelBuilder()
    .min(0)
    .showPoints(VisibilityMode.Never)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return describePanel(panel, description, queries);
}

/** Curves of one quantity, such as its percentiles, in shades of one hue. */
export function shadedCurvePanel(description: PanelDescription, queries: Builder<Dataquery>[]): PanelBuilder {
  return curvePanel(description, queries).colorScheme(
    new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor('blue'),
  );
}

/** Parts of a whole over time, one above the other. */
export function stackedCurvePanel(description: PanelDescription, queries: DataqueryBuilder[]): PanelBuilder {
  return curvePanel(description, queries)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .lineWidth(0)
    .fillOpacity(70);
}

/** One bar an hour. */
export function hourlyBarPanel(description: PanelDescription, query: DataqueryBuilder): PanelBuilder {
  return curvePanel(description, [query])
    .interval('1h')
    .maxDataPoints(1000)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70);
}
