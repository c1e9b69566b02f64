// Short messages about what has just been done, read out by screen readers too.

import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { asApiError } from '../load';
import { IconButton } from './button';
import { Icon } from './icons';
import { Prose } from './prose';

interface Message {
  id: number;
  tone: 'good' | 'bad';
  text: string;
  help?: string | undefined;
}

/** Says something at the edge of the page. */
export interface Toasts {
  /** It was done. */
  good: (text: string) => void;
  /** It was not done: an error of the API, or a text. */
  bad: (cause: unknown) => void;
}

const ToastContext = createContext<Toasts>({ good: () => {}, bad: () => {} });

/** Shows the messages of everything below it. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const t = useTexts(words);
  const [messages, setMessages] = useState<Message[]>([]);
  const last = useRef(0);
  const drop = useCallback((id: number) => setMessages((old) => old.filter((message) => message.id !== id)), []);
  const add = useCallback((message: Omit<Message, 'id'>) => {
    last.current += 1;
    const id = last.current;
    setMessages((old) => [...old.slice(-2), { ...message, id }]);
    // What went wrong stays until it is closed.
    if (message.tone === 'good') setTimeout(() => drop(id), 6_000);
  }, [drop]);
  const toasts = useMemo<Toasts>(() => ({
    good: (text) => add({ tone: 'good', text }),
    bad: (cause) => {
      if (typeof cause === 'string') {
        add({ tone: 'bad', text: cause });
        return;
      }
      const { problem, status } = asApiError(cause);
      if (problem.kind === 'offline') add({ tone: 'bad', text: t.offline, help: t.offlineHelp });
      else if (problem.kind === 'http') add({ tone: 'bad', text: t.httpProblem(status) });
      else add({ tone: 'bad', text: problem.message, help: problem.help });
    },
  }), [add, t]);
  return (
    <ToastContext.Provider value={toasts}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {messages.map((message) => (
          <div key={message.id} className={`toast toast-${message.tone}`}>
            <Icon name={message.tone === 'good' ? 'check' : 'warning'} />
            <div>
              <p><Prose text={message.text} /></p>
              {message.help && <p className="small"><Prose text={message.help} /></p>}
            </div>
            <IconButton label={t.close} icon="cross" onClick={() => drop(message.id)} />
          </div>
        ))}
      </div>
    </ToastContext.Provider>
  );
}

/** The way to say something. */
export function useToasts(): Toasts {
  return useContext(ToastContext);
}
