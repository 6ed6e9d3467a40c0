import { useEffect } from 'preact/hooks';
import { CallPage } from './ladder/call-page.tsx';
import { CallsPage } from './calls/calls-page.tsx';
import { CallEventsPage } from './call-events/call-events-page.tsx';
import { DeliveriesPage } from './deliveries/deliveries-page.tsx';
import { OverviewPage } from './overview/overview-page.tsx';
import { Empty, Page } from './parts/panel.tsx';
import { Notices } from './parts/notices.tsx';
import { go, place } from './router.ts';
import { seesAll, session } from './session.ts';
import { Shell } from './shell/shell.tsx';
import { SignInPage } from './sign-in/sign-in-page.tsx';
import { closeStream, openStream } from './stream.ts';

export function App() {
  const isSignedIn = session.value ? session.value.user : '';
  useEffect(() => {
    if (isSignedIn !== '') openStream();
    return closeStream;
  }, [isSignedIn]);
  if (session.value === undefined) return null;
  return (
    <>
      {session.value === null ? (
        <SignInPage />
      ) : (
        <Shell>
          <CurrentPage />
        </Shell>
      )}
      <Notices />
    </>
  );
}

function CurrentPage() {
  const { path } = place.value;
  if (path === '/' || path === '/sign-in') return seesAll() ? <OverviewPage /> : <CallsPage />;
  if (path === '/calls') return <CallsPage />;
  if (path.startsWith('/calls/')) return <CallPage key={path} id={path.slice('/calls/'.length)} />;
  if (path === '/call-events') return <CallEventsPage />;
  if (path === '/deliveries') return <DeliveriesPage />;
  return <NotFoundPage />;
}

function NotFoundPage() {
  return (
    <Page title="Not found">
      <Empty title="There is no page at this address">
        <button type="button" class="button" onClick={() => go('/')}>
          Go to the start
        </button>
      </Empty>
    </Page>
  );
}
