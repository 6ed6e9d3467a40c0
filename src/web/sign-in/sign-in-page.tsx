import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { SignInMethods } from '../../api/types.ts';
import { ApiError, get } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { go } from '../router.ts';
import { signIn } from '../session.ts';
import { ThemeChoice } from '../shell/shell.tsx';
import './sign-in.css';

const describe = (error: unknown): string => {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401) return 'User or password is wrong.';
  if (error.status === 429) return 'Too many attempts. Wait a minute, then try again.';
  return error.message;
};

export function SignInPage() {
  const methods = useLoaded('methods', () => get<SignInMethods>('/sign-in'));
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  useEffect(() => {
    document.title = 'Sign in · Ringside';
  }, []);
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>Sign in to Ringside</h1>
        {token !== null && <LinkForm token={token} />}
        {token === null && methods.value?.password === false && <LinkHelp />}
        {token === null && methods.value?.password !== false && <PasswordForm error={methods.error?.message} />}
      </div>
      <ThemeChoice />
    </main>
  );
}

function PasswordForm({ error }: { error: string | undefined }) {
  const user = useSignal('');
  const password = useSignal('');
  const failure = useSignal<string | undefined>(undefined);
  const submit = async (): Promise<void> => {
    failure.value = undefined;
    try {
      await signIn({ user: user.value, password: password.value });
    } catch (thrown) {
      failure.value = describe(thrown);
      password.value = '';
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field
        label="User"
        name="user"
        value={user.value}
        autocomplete="username"
        isFirst
        onInput={(text) => (user.value = text)}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        value={password.value}
        autocomplete="current-password"
        onInput={(text) => (password.value = text)}
      />
      <p class="error" role="alert">
        {failure.value ?? error}
      </p>
      <Button type="submit" kind="primary">
        Sign in
      </Button>
    </form>
  );
}

/** The link that was printed at the start; used by a click, so that nothing that only looks at links uses it up. */
function LinkForm({ token }: { token: string }) {
  const failure = useSignal<string | undefined>(undefined);
  const submit = async (): Promise<void> => {
    try {
      await signIn({ token });
      go('/', { replace: true });
    } catch (thrown) {
      failure.value =
        thrown instanceof ApiError && thrown.status === 401
          ? 'This link was used already, or is of an earlier start.'
          : describe(thrown);
    }
  };
  return (
    <div class="sign-in-link">
      <p>You come with the sign-in link that Ringside printed when it started.</p>
      <p class="error" role="alert">
        {failure.value}
      </p>
      <Button kind="primary" onClick={submit}>
        Sign in
      </Button>
    </div>
  );
}

function LinkHelp() {
  return (
    <div class="sign-in-link">
      <p>
        No user is configured yet. Ringside printed a sign-in link when it started: open that one. To sign in with a
        user and password, add a user to the configuration file.
      </p>
    </div>
  );
}
