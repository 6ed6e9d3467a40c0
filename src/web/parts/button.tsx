import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { Icon, type IconName } from './icon.tsx';
import { tellError } from './notices.tsx';
import './button.css';

interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** For buttons that show their icon only. */
  readonly label?: string;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  /** While it has not ended, the button can't be pressed again; what it throws is told. */
  readonly onClick?: () => unknown;
}

export function Button({ children, icon, label, kind = 'plain', type = 'button', disabled, onClick }: ButtonProps) {
  const isBusy = useSignal(false);
  const press = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    try {
      await onClick?.();
    } catch (error) {
      tellError(error);
    } finally {
      isBusy.value = false;
    }
  };
  const shape = children === undefined ? 'button square' : 'button';
  return (
    <button
      type={type}
      class={`${shape} ${kind}`}
      disabled={disabled === true}
      aria-label={label}
      aria-busy={isBusy.value}
      title={label}
      onClick={onClick && (() => void press())}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
