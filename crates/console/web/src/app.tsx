// The whole page: who is signed in, where they are, and what happens meanwhile.

import { Component, lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { api, setCsrf, whenSignedOut } from './api/client';
import type { ApiError } from './api/client';
import type { Session } from './api/types';
import { closeEvents, openEvents } from './events';
import { useLang, useTexts } from './i18n';
import { Layout } from './layout/layout';
import { shell } from './layout/texts';
import { asApiError } from './load';
import { OverviewPage } from './pages/overview/page';
import { SignInPage } from './pages/sign-in';
import { type Route, useLocation } from './router';
import { SessionContext } from './session';
import { Button, ErrorView, Loading } from './ui';
import { Page } from './ui/page';
import { NowProvider } from './ui/time';
import { ToastProvider } from './ui/toast';

const FlowPage = lazy(() => import('./pages/flow/page'));
const RunPage = lazy(() => import('./pages/run/page'));
const CalendarPage = lazy(() => import('./pages/calendar/page'));
const AccountsPage = lazy(() => import('./pages/accounts'));
const AlertsPage = lazy(() => import('./pages/alerts/page'));
const DoctorPage = lazy(() => import('./pages/doctor'));
const AuditPage = lazy(() => import('./pages/audit'));
const MappingPage = lazy(() => import('./mapping/page'));
const LettersPage = lazy(() => import('./letters/page'));
const TracePage = lazy(() => import('./trace/page'));

function pageOf(route: Route): ReactNode {
  switch (route.page) {
    case 'overview': return <OverviewPage />;
    case 'flow': return <FlowPage key={route.flow} flow={route.flow} />;
    case 'run': return <RunPage key={`${route.flow}/${route.run}`} flow={route.flow} run={route.run} />;
    case 'mapping': return <MappingPage key={route.flow} flow={route.flow} />;
    case 'letters': return <LettersPage key={route.flow} flow={route.flow} />;
    case 'trace': return <TracePage />;
    case 'calendar': return <CalendarPage />;
    case 'accounts': return <AccountsPage />;
    case 'account': return <AccountsPage key={route.account} account={route.account} />;
    case 'alerts': return <AlertsPage />;
    case 'doctor': return <DoctorPage />;
    case 'audit': return <AuditPage />;
    case 'missing': return <MissingPage />;
  }
}

function MissingPage() {
  const t = useTexts(shell);
  return <Page title={t.missing}><p>{t.missingHelp} <a href="#/">{t.toOverview}</a></p></Page>;
}

/** Shows what a page threw, instead of nothing. */
class Fence extends Component<{ children: ReactNode; title: string; help: string; again: string }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <Page title={this.props.title}>
        <p>{this.props.help}</p>
        <Button look="primary" onClick={() => window.location.reload()}>{this.props.again}</Button>
      </Page>
    );
  }
}

/** The page in front; when it changes, its heading gets the focus, so that a screen reader says where one is. */
function Front() {
  const t = useTexts(shell);
  const { route, hash } = useLocation();
  const path = hash.split('?')[0] ?? '';
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    window.scrollTo(0, 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [path]);
  return (
    <Fence key={path} title={t.broken} help={t.brokenHelp} again={t.reloadPage}>
      <Suspense fallback={<Loading />}>{pageOf(route)}</Suspense>
    </Fence>
  );
}

type State = { is: 'asking' } | { is: 'nobody' } | { is: 'unreachable'; error: ApiError } | { is: 'in'; session: Session };

/** The page. */
export function App() {
  const lang = useLang();
  const [state, setState] = useState<State>({ is: 'asking' });

  const enter = useCallback((session: Session) => {
    setCsrf(session.csrf);
    setState({ is: 'in', session });
  }, []);

  const ask = useCallback(() => {
    api.session().then(enter, (cause: unknown) => {
      const error = asApiError(cause);
      setState(error.status === 401 ? { is: 'nobody' } : { is: 'unreachable', error });
    });
  }, [enter]);

  useEffect(() => {
    whenSignedOut(() => setState({ is: 'nobody' }));
    ask();
  }, [ask]);

  const isUnreachable = state.is === 'unreachable';
  useEffect(() => {
    if (!isUnreachable) return undefined;
    const timer = setInterval(ask, 5_000);
    return () => clearInterval(timer);
  }, [isUnreachable, ask]);

  const isIn = state.is === 'in';
  useEffect(() => {
    if (!isIn) return undefined;
    openEvents();
    return closeEvents;
  }, [isIn, lang]);

  const signOut = useCallback(() => {
    const leave = () => setState({ is: 'nobody' });
    api.signOut().then(leave, leave);
  }, []);

  return (
    <ToastProvider>
      <NowProvider>
        {state.is === 'asking' && <Loading />}
        {state.is === 'unreachable' && <main className="lonely"><ErrorView error={state.error} retry={ask} /></main>}
        {state.is === 'nobody' && <SignInPage onSignedIn={enter} />}
        {state.is === 'in' && (
          <SessionContext.Provider value={state.session}>
            <Layout session={state.session} onSignOut={signOut}><Front /></Layout>
          </SessionContext.Provider>
        )}
      </NowProvider>
    </ToastProvider>
  );
}
