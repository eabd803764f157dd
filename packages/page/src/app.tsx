import { useEffect, useState } from 'preact/hooks';
import { useAddress, ownZone } from './address/use-address.ts';
import { readAbout } from './asking/server.ts';
import type { About } from './asking/server.ts';
import { ask } from './asking/ask.ts';
import { useAnswer } from './asking/use-answer.ts';
import { CompareView } from './compare/compare-view.tsx';
import { ConversationView } from './conversation/conversation-view.tsx';
import { ConversationsView } from './conversations/conversations-view.tsx';
import { NowView } from './now/now-view.tsx';
import { StepsView } from './steps/steps-view.tsx';
import { EmptyState } from './frame/empty-state.tsx';
import { Header } from './frame/header.tsx';
import { SignIn } from './frame/sign-in.tsx';
import type { ViewProps } from './frame/view-props.ts';

/** How often the page looks whether the first span has arrived. */
const FIRST_SPAN_EVERY_MS = 2000;

export function App() {
  const address = useAddress();
  const [about, setAbout] = useState<About>();
  const [signIns, setSignIns] = useState(0);
  const zone = address.zone ?? ownZone();

  useEffect(() => {
    readAbout().then(setAbout, () => undefined);
  }, [signIns]);

  // One conversation of any time tells whether there is anything to show; until then the view is taken to have some.
  const [isEmpty, setIsEmpty] = useState(true);
  const first = useAnswer(
    `first ${signIns} ${isEmpty}`,
    () => ask('recent', { timeZone: zone, limit: 1 }),
    isEmpty ? FIRST_SPAN_EVERY_MS : undefined,
  );
  const hasSome = first.value !== undefined && first.value.data.length > 0;
  useEffect(() => {
    if (hasSome) setIsEmpty(false);
  }, [hasSome]);
  useEffect(() => {
    document.title = titleOf(address.view, address.conversationId);
  }, [address.view, address.conversationId]);

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
        ) : isEmpty && first.value !== undefined && !hasSome ? (
          <EmptyState about={about} />
        ) : (
          <CurrentView {...props} />
        )}
      </main>
    </>
  );
}

function CurrentView(props: ViewProps) {
  const { view, conversationId } = props.address;
  switch (view) {
    case 'now':
      return <NowView {...props} />;
    case 'conversations':
      return conversationId === undefined ? (
        <ConversationsView {...props} />
      ) : (
        <ConversationView key={conversationId} {...props} conversationId={conversationId} />
      );
    case 'steps':
      return <StepsView {...props} />;
    case 'compare':
      return <CompareView {...props} />;
  }
}

function titleOf(view: string, conversationId: string | undefined): string {
  return `${conversationId ?? view[0]!.toUpperCase() + view.slice(1)} · convotel`;
}

/** The address holds what is shown, so it cannot also hold a place on the page. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
