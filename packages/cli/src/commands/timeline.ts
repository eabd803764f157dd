import type { ConversationDetail, Report } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import { conversationHeadLines, findingsSection, heavyRule, pageText, tableSection, titleLines } from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { waterfall, waterfallLegend } from '../text/graph.ts';

/** `timeline`: when each step of one conversation ran. */
export const command = conversationCommand({
  examples: [['convotel timeline 20251008_143022_a1b2c3d4', 'the steps on one axis']],
  options: GRAPH_OPTION,
  ask: async (source, asked) => {
    const { timeline } = await import('@convotel/query');
    return timeline(source, asked);
  },
  text: timelineText,
});

/** The steps of one conversation as bars on a common time axis. */
export function timelineText(
  { data: detail, findings }: Report<'timeline', ConversationDetail>,
  context: TextContext,
): string {
  return pageText(
    [
      ...titleLines(`Timeline: ${detail.conversationId}`, 80, context),
      ...conversationHeadLines(detail, context),
      '',
      ...tableSection(waterfall(detail, context), 80, 'No steps', context),
      ...waterfallLegend(detail, context),
      heavyRule(80, context),
      ...findingsSection('KEY INSIGHTS', findings, context),
    ],
    context,
  );
}
