import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'ringside.theme';

const isTheme = (text: string | null): text is Theme => THEMES.some((theme) => theme === text);

function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return isTheme(kept) ? kept : 'system';
  } catch {
    return 'system'; // storage is forbidden
  }
}

/** What the user chose; `system` follows the machine. */
export const theme = signal<Theme>(readTheme());

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(prefersDark.matches);

/** What is shown: charts are painted anew when it changes. */
export const isDark = (): boolean => (theme.value === 'system' ? systemIsDark.value : theme.value === 'dark');

export function startTheme(): void {
  prefersDark.addEventListener('change', () => (systemIsDark.value = prefersDark.matches));
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === 'system') delete dataset['theme'];
    else dataset['theme'] = theme.value;
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {
      // then it holds until the page is left
    }
  });
}
