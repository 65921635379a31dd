/** Light, dark, or as the system says; remembered in this browser. */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const STORED_AS = "sealane-theme";

export const theme = signal<Theme>(stored());

export function applyTheme(): void {
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    try {
      localStorage.setItem(STORED_AS, theme.value);
    } catch {
      // A browser without storage forgets the choice; nothing else depends on it.
    }
  });
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORED_AS);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}
