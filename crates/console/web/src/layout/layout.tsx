// The frame around all pages: where one can go, the search, the language, the theme, who is signed in.

import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Session } from '../api/types';
import { useIsLive } from '../events';
import { type Lang, setLang, useLang, useTexts } from '../i18n';
import { links, navigate, type Route, useLocation } from '../router';
import { setTheme, type Theme, useTheme } from '../theme';
import { Button, IconButton } from '../ui/button';
import { Icon, type IconName } from '../ui/icons';
import { shell } from './texts';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
const THEME_ICON: Record<Theme, IconName> = { system: 'screen', light: 'sun', dark: 'moon' };

/** Switches between light, dark and what the device says. */
export function ThemeSwitch() {
  const t = useTexts(shell);
  const theme = useTheme();
  const names: Record<Theme, string> = { system: t.themeSystem, light: t.themeLight, dark: t.themeDark };
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <IconButton
      label={`${t.theme}: ${names[theme]}`}
      icon={THEME_ICON[theme]}
      onClick={() => setTheme(next)}
    />
  );
}

/** Switches between English and Chinese; each button says the language in itself. */
export function LangSwitch() {
  const t = useTexts(shell);
  const lang = useLang();
  const button = (to: Lang, text: string, tag: string) => (
    <button type="button" lang={tag} aria-pressed={lang === to} onClick={() => setLang(to)}>{text}</button>
  );
  return (
    <div className="switch" role="group" aria-label={t.language}>
      {button('zh', '中文', 'zh-CN')}
      {button('en', 'EN', 'en')}
    </div>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

function Search() {
  const t = useTexts(shell);
  const id = useId();
  const { route, query } = useLocation();
  const asked = route.page === 'trace' ? (query.get('id') ?? '') : '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // A key alone would be pressed by mistake by those who speak to their device.
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        event.preventDefault();
        input.current?.select();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const go = (event: FormEvent) => {
    event.preventDefault();
    const wanted = text.trim();
    if (wanted !== '') navigate(links.trace(wanted));
  };
  return (
    <form className="search" role="search" aria-label={t.search} onSubmit={go}>
      <label htmlFor={id} className="sr-only">{t.search}</label>
      <Icon name="search" />
      <input
        id={id}
        ref={input}
        type="search"
        value={text}
        placeholder={t.searchShort}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        aria-keyshortcuts={isApple ? 'Meta+K' : 'Control+K'}
        onChange={(event) => setText(event.target.value)}
      />
      <kbd aria-hidden="true">{isApple ? '⌘K' : 'Ctrl K'}</kbd>
      <button type="submit" className="sr-only">{t.searchGo}</button>
    </form>
  );
}

const SECTION: Partial<Record<Route['page'], string>> = {
  overview: 'overview', flow: 'overview', run: 'overview', mapping: 'overview', letters: 'overview',
  calendar: 'calendar', accounts: 'accounts', account: 'accounts', alerts: 'alerts', doctor: 'doctor', audit: 'audit',
};

function Navigation({ session }: { session: Session }) {
  const t = useTexts(shell);
  const { route } = useLocation();
  const here = SECTION[route.page];
  const items: { id: string; href: string; label: string; icon: IconName }[] = [
    { id: 'overview', href: links.overview(), label: t.overview, icon: 'home' },
    { id: 'calendar', href: links.calendar(), label: t.calendar, icon: 'calendar' },
    { id: 'accounts', href: links.accounts(), label: t.accounts, icon: 'key' },
    { id: 'alerts', href: links.alerts(), label: t.alerts, icon: 'bell' },
    { id: 'doctor', href: links.doctor(), label: t.doctor, icon: 'pulse' },
  ];
  if (session.role === 'operator') items.push({ id: 'audit', href: links.audit(), label: t.audit, icon: 'list' });
  return (
    <ul className="nav">
      {items.map((item) => (
        <li key={item.id}>
          <a href={item.href} aria-current={here === item.id ? 'page' : undefined}>
            <Icon name={item.icon} />{item.label}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The name and the sign. */
export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" className="brand-field" />
        <path d="M12 6h8v4l2 4v11a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2V14l2-4z" className="brand-can" />
        <path d="M13 18l2.5 2.5L19.5 16" fill="none" className="brand-check" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      Milkrun
    </span>
  );
}

/** The frame. */
export function Layout({ session, onSignOut, children }: {
  session: Session; onSignOut: () => void; children: ReactNode;
}) {
  const t = useTexts(shell);
  const isLive = useIsLive();
  const { hash } = useLocation();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [hash]);

  const skip = () => {
    const main = document.getElementById('main');
    main?.focus();
    main?.scrollIntoView();
  };

  return (
    <div className="frame">
      <button type="button" className="skip" onClick={skip}>{t.skip}</button>
      <header className="top">
        <IconButton
          className="menu-button"
          label={t.menu}
          icon="menu"
          aria-expanded={isOpen}
          aria-controls="side"
          onClick={() => setOpen(!isOpen)}
        />
        <a href={links.overview()} className="brand-link"><Brand /></a>
        <Search />
        <div className="top-tools">
          <span className={isLive ? 'live live-on' : 'live'} title={isLive ? t.liveTitle : t.notLiveTitle}>
            <span className="live-dot" aria-hidden="true" />{isLive ? t.live : t.notLive}
          </span>
          <LangSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <aside className={isOpen ? 'side side-open' : 'side'} id="side">
        <nav aria-label={t.navigation}><Navigation session={session} /></nav>
        <div className="side-foot">
          <p className="who"><strong>{session.user}</strong> <span className="muted">{session.role === 'operator' ? t.operator : t.viewer}</span></p>
          {session.can_sign_out && <Button small look="quiet" icon="out" onClick={onSignOut}>{t.signOut}</Button>}
          <p className="muted small">{t.beijing}</p>
        </div>
      </aside>
      <main id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}
