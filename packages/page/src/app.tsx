import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useAddress, ownZone } from './address.ts';
import { readAbout, ask, firstAnswerSaw } from './asking/ask.ts';
import type { About } from './asking/ask.ts';
import { useAnswer } from './asking/use-answer.ts';
import { CompareView } from './compare/compare-view.tsx';
import { ConversationView } from './conversation/conversation-view.tsx';
import { ConversationsView } from './conversations/conversations-view.tsx';
import { NowView } from './now/now-view.tsx';
import { SessionView, SessionsView } from './sessions/sessions-view.tsx';
import { StepsView } from './steps/steps-view.tsx';
import { UsageView } from './usage/usage-view.tsx';
import { EmptyState, SignIn } from './frame/start.tsx';
import { Header } from './frame/header.tsx';
import type { ViewProps } from './frame/view.tsx';
import './styles/theme.css';
import './styles/parts.css';
import './styles/views.css';

/** Interval of the check whether the first span has arrived. */
const FIRST_SPAN_EVERY_MS = 2000;

function App() {
  const address = useAddress();
  const [about, setAbout] = useState<About>();
  const [signIns, setSignIns] = useState(0);
  const zone = address.zone ?? ownZone();

  useEffect(() => {
    readAbout().then(setAbout, () => undefined);
  }, [signIns]);

  // A single conversation, at any time, is enough. Until the first answer, the page is assumed to be empty.
  const [isEmpty, setIsEmpty] = useState(true);
  const first = useAnswer(
    `first ${signIns} ${isEmpty}`,
    // Uses the first answer of the view, because a separate question would only delay it.
    async () => (await firstAnswerSaw) || (await ask('recent', { timeZone: zone, limit: 1 })).data.length > 0,
    isEmpty ? FIRST_SPAN_EVERY_MS : undefined,
  );
  const hasSome = first.value === true;
  useEffect(() => {
    if (hasSome) setIsEmpty(false);
  }, [hasSome]);
  const opened = address.conversationId ?? address.sessionId;
  useEffect(() => {
    document.title = titleOf(address.view, opened);
  }, [address.view, opened]);

  const props: ViewProps = { address, zone, about };
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <Header {...props} />
      <main id="main" tabIndex={-1}>
        {first.error?.status === 401 ? (
          <SignIn onSignedIn={() => setSignIns((count) => count + 1)} />
        ) : isEmpty && first.value === false ? (
          <EmptyState about={about} />
        ) : (
          <CurrentView {...props} />
        )}
      </main>
    </>
  );
}

function CurrentView(props: ViewProps) {
  const { view, conversationId, sessionId } = props.address;
  switch (view) {
    case 'now':
      return <NowView {...props} />;
    case 'conversations':
      return conversationId === undefined ? (
        <ConversationsView {...props} />
      ) : (
        <ConversationView key={conversationId} {...props} conversationId={conversationId} />
      );
    case 'sessions':
      return sessionId === undefined ? (
        <SessionsView {...props} />
      ) : (
        <SessionView key={sessionId} {...props} sessionId={sessionId} />
      );
    case 'steps':
      return <StepsView {...props} />;
    case 'compare':
      return <CompareView {...props} />;
    case 'usage':
      return <UsageView {...props} />;
  }
}

function titleOf(view: string, opened: string | undefined): string {
  return `${opened ?? view[0]!.toUpperCase() + view.slice(1)} · convotel`;
}

/** Moves the focus by script, because the hash contains the address and cannot be used as an anchor. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

render(<App />, document.getElementById('page')!);
