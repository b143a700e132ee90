import type { Ref } from "./types";

const numbers = new Intl.NumberFormat("en");

export function number(n: number): string {
  return numbers.format(n);
}

// rate returns a number per second.
export function rate(count: number, seconds: number): string {
  const perSecond = seconds > 0 ? count / seconds : 0;
  return `${perSecond >= 10 || perSecond === 0 ? number(Math.round(perSecond)) : perSecond.toFixed(1)}/s`;
}

export function reference(ref: Ref): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ""}${ref.name}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

// states lists the endpoints of a pool by state, without states that none has.
export function states(pods: Record<string, number>): string {
  const parts = ["Ready", "Draining", "NotReady", "Ejected"].filter((state) => pods[state]).map((state) => `${number(pods[state]!)} ${stateText(state)}`);
  return parts.join(", ") || "none";
}

export function stateText(state: string): string {
  return state === "NotReady" ? "not ready" : state.toLowerCase();
}

const days = 24 * 3600 * 1000;

// until returns how far away a time is.
export function until(time: string): string {
  const left = (new Date(time).getTime() - Date.now()) / days;
  if (left < 0) {
    return `expired ${plural(Math.ceil(-left), "day")} ago`;
  }
  return left < 1 ? "less than a day" : plural(Math.floor(left), "day");
}

export function sum(samples: number[]): number {
  return samples.reduce((total, n) => total + n, 0);
}
