// Signing in: with name and password, or with an access token alone.

import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api, type ApiError } from '../api/client';
import type { Session } from '../api/types';
import { texts, useTexts } from '../i18n';
import { Brand, LangSwitch, ThemeSwitch } from '../layout/layout';
import { asApiError, useAct } from '../load';
import { Button, ErrorView, Field } from '../ui';

const dictionary = texts(
  {
    title: 'Sign in',
    user: 'User name',
    password: 'Password',
    withPassword: 'Name and password',
    withToken: 'Access token',
    token: 'Access token',
    how: 'How to sign in',
    hint: 'Users and access tokens stand under [console] in milkrun.toml.',
  },
  {
    title: '登录',
    user: '用户名',
    password: '密码',
    withPassword: '用户名和密码',
    withToken: '访问令牌',
    token: '访问令牌',
    how: '登录方式',
    hint: '用户和访问令牌在 milkrun.toml 的 [console] 中设置。',
  },
);

/** The page that nobody has to be signed in for. */
export function SignInPage({ onSignedIn }: { onSignedIn: (session: Session) => void }) {
  const t = useTexts(dictionary);
  const [isToken, setToken] = useState(false);
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<ApiError>();
  const [isBusy, act] = useAct();
  const secret = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = `${t.title} · Milkrun`;
  }, [t]);

  const send = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      setError(undefined);
      try {
        onSignedIn(await api.signIn(isToken ? { password } : { user, password }));
      } catch (cause) {
        setError(asApiError(cause));
        setPassword('');
        secret.current?.focus();
      }
    });
  };

  return (
    <div className="sign-in">
      <header className="sign-in-top">
        <Brand />
        <div className="top-tools"><LangSwitch /><ThemeSwitch /></div>
      </header>
      <main className="sign-in-box" id="main">
        <h1>{t.title}</h1>
        <div className="switch" role="group" aria-label={t.how}>
          <button type="button" aria-pressed={!isToken} onClick={() => setToken(false)}>{t.withPassword}</button>
          <button type="button" aria-pressed={isToken} onClick={() => setToken(true)}>{t.withToken}</button>
        </div>
        <form onSubmit={send}>
          {!isToken && (
            <Field label={t.user}>
              {(control) => (
                <input
                  {...control}
                  name="user"
                  autoComplete="username"
                  autoCapitalize="none"
                  spellCheck={false}
                  required
                  value={user}
                  onChange={(event) => setUser(event.target.value)}
                />
              )}
            </Field>
          )}
          <Field label={isToken ? t.token : t.password}>
            {(control) => (
              <input
                {...control}
                ref={secret}
                name="password"
                type="password"
                autoComplete={isToken ? 'off' : 'current-password'}
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            )}
          </Field>
          {error && <ErrorView error={error} />}
          <Button type="submit" look="primary" busy={isBusy}>{t.title}</Button>
        </form>
        <p className="muted small">{t.hint}</p>
      </main>
    </div>
  );
}
