import type { Finding } from '@convotel/query';
import type { TextContext } from './text-context.ts';

/** An empty line, `heading` and a bullet for each finding; nothing where there is none or none are shown. */
export function findingsSection(heading: string, findings: readonly Finding[], context: TextContext): string[] {
  if (!context.showFindings || findings.length === 0) return [];
  return ['', `${heading}:`, ...findings.map((finding) => `• ${finding.text}`)];
}

/** An empty line, `RECOMMENDATIONS:` and the advice among `findings`, numbered. */
export function recommendationsSection(findings: readonly Finding[], context: TextContext): string[] {
  const advice = findings.filter((finding) => finding.severity === 'advice');
  if (!context.showFindings || advice.length === 0) return [];
  return ['', 'RECOMMENDATIONS:', ...advice.map((finding, index) => `${index + 1}. ${finding.text}`)];
}
