// Who is signed in.

import { createContext, useContext } from 'react';
import type { Session } from './api/types';

/** The session, for all pages. */
export const SessionContext = createContext<Session | null>(null);

/** Who is signed in; pages are only shown to somebody who is. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('a page was shown to nobody');
  return session;
}

/** Whether the reader may change things. */
export function useIsOperator(): boolean {
  return useSession().role === 'operator';
}
