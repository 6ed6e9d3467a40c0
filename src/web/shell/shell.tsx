import type { ComponentChildren } from 'preact';
import { useComputed } from '@preact/signals';
import { countKinds } from '../calls/call-filter.ts';
import { liveCalls } from '../calls/live-calls.ts';
import { Button } from '../parts/button.tsx';
import { Choice } from '../parts/choice.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { place } from '../router.ts';
import { seesAll, session, signOut } from '../session.ts';
import { connection } from '../stream.ts';
import { theme } from '../theme.ts';
import '../styles/shell.css';

const LINKS: readonly { path: string; label: string; icon: IconName; isOverall?: boolean }[] = [
  { path: '/', label: 'Overview', icon: 'overview', isOverall: true },
  { path: '/calls', label: 'Calls', icon: 'calls' },
  { path: '/call-events', label: 'Call events', icon: 'rules' },
  { path: '/deliveries', label: 'Deliveries', icon: 'deliveries' },
];

export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="top">
        <Brand />
        <ThemeChoice />
        <Button icon="leave" label="Sign out" kind="quiet" onClick={signOut} />
      </header>
      <div class="side">
        <Brand />
        <Navigation />
        <div class="side-foot">
          <Connection />
          <ThemeChoice />
          <div class="who">
            <span class="cut" title={session.value?.user}>
              {session.value?.user}
            </span>
            <Button icon="leave" label="Sign out" kind="quiet" onClick={signOut} />
          </div>
        </div>
      </div>
      <main class="main" id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Brand() {
  return (
    <div class="brand">
      <img src="/icon.svg" alt="" width="26" height="26" />
      Ringside
    </div>
  );
}

function Navigation() {
  const live = useComputed(() => countKinds(liveCalls.value).all);
  const { path } = place.value;
  const isHere = (link: string): boolean => path === link || (link !== '/' && path.startsWith(`${link}/`));
  return (
    <nav class="nav" aria-label="Pages">
      {LINKS.filter(({ isOverall }) => seesAll() || !isOverall).map(({ path: link, label, icon }) => (
        <a key={link} href={link} aria-current={isHere(link) ? 'page' : undefined}>
          <Icon name={icon} />
          {label}
          {link === '/calls' && live.value > 0 && (
            <span class="count">
              {live}
              <span class="unseen"> live</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

const CONNECTION = { opening: 'Connecting…', on: 'Live', off: 'Connection lost' } as const;

function Connection() {
  return (
    <p class="connection" role="status">
      <i class={`dot ${connection.value}`} />
      {CONNECTION[connection.value]}
    </p>
  );
}

export function ThemeChoice() {
  return (
    <Choice
      label="Theme"
      value={theme.value}
      onChoose={(chosen) => (theme.value = chosen)}
      options={[
        { value: 'light', label: 'Light', icon: 'sun' },
        { value: 'system', label: 'As the system', icon: 'system' },
        { value: 'dark', label: 'Dark', icon: 'moon' },
      ]}
    />
  );
}
