// reasons explain the outcomes of requests.
export const reasons: Record<string, string> = {
  none: "No policy applies to the request.",
  new: "No method recognized the client, so a pod was chosen.",
  hit: "Sent to the pod of its session.",
  lent: "Sent to another pod once, because the pod of the session is not ready.",
  invalid: "The token was invalid, so the client counted as new.",
  refused: "The policy refuses the request instead of moving the session.",
  "moved: gone": "The pod was removed, or drains without keeping its sessions.",
  "moved: expired": "The session had expired.",
  "moved: failed": "The pod could not be reached.",
  "moved: rebalanced": "The session was idle, and another pod had fewer sessions.",
  "moved: full": "The pod had reached the limit of sessions or requests of its policy.",
  "moved: handoff": "The session was handed to another pod, because its pod drains.",
};
