import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dashboard, Panel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';

/** Marks our dashboards: the links at the top of each lead to all that carry it. */
const TAG = 'convotel';

/** Stable ids of the dashboards, part of their addresses. */
export const DASHBOARD_UID = {
  conversations: 'convotel-conversations',
  stepDetail: 'convotel-step-detail',
  telemetryHealth: 'convotel-telemetry-health',
  exactPercentiles: 'convotel-exact-percentiles',
} as const;

/** Panels under a common heading. */
export interface DashboardSection {
  heading: string;
  panels: Builder<Panel>[];
}

/** What makes one dashboard differ from another. */
export interface DashboardContent {
  uid: string;
  title: string;
  description: string;
  variables: Builder<VariableModel>[];
  sections: DashboardSection[];
}

/** Lays `content` out as classic dashboard JSON (schema 42), with numbered panels and links to the other dashboards. */
export function buildDashboard({ uid, title, description, variables, sections }: DashboardContent): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables(variables)
    .annotations([])
    .link(
      new DashboardLinkBuilder('Dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    );
  for (const { heading, panels } of sections) {
    builder.withRow(new RowBuilder(heading));
    for (const panel of panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  dashboard.panels?.forEach((panel, index) => {
    panel.id = index + 1;
  });
  // The builder hides links in a menu; they are the way from one dashboard to the next.
  for (const link of dashboard.links ?? []) delete link.placement;
  return dashboard;
}
