import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression consists of, as far as dashboards and alerts have rules about it. */
export interface PromqlParts {
  /** Pieces that are no PromQL; none in a correct expression. */
  errors: string[];
  metrics: string[];
  /** Labels that it matches on, groups by or joins on. */
  labels: string[];
  /** Values that it compares the label `le` with. */
  bucketLabels: string[];
  /** Functions over a range, each with that range: `increase`, `1h`. */
  ranges: { name: string; range: string }[];
}

/** Takes `expression` apart; variables of a dashboard have to be filled in first. */
export function partsOf(expression: string): PromqlParts {
  const parts: PromqlParts = { errors: [], metrics: [], labels: [], bucketLabels: [], ranges: [] };
  parser.parse(expression).iterate({
    enter: ({ name, from, to, node }) => {
      const text = expression.slice(from, to);
      if (name === '⚠') parts.errors.push(expression.slice(Math.max(0, from - 20), to + 20));
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') parts.metrics.push(text);
      if (name === 'LabelName') parts.labels.push(text);
      if (name === 'UnquotedLabelMatcher' && text.startsWith('le=')) parts.bucketLabels.push(/"(.*)"/.exec(text)![1]!);
      if (name === 'FunctionCall') {
        const range = /^\w+\(\s*[^()]*\[([^\]]+)\]/.exec(text);
        if (range !== null) parts.ranges.push({ name: text.slice(0, text.indexOf('(')), range: range[1]! });
      }
    },
  });
  return parts;
}

/** `text` with every `$name`, `${name}` and `${name:format}` replaced by its value; the longest name wins. */
export function fillVariables(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const value = values[(braced ?? bare)!];
    if (value === undefined) throw new Error(`${whole} has no value, in: ${text}`);
    return value;
  });
}
