// Package browsers has a page in Chromium do what pages do, through Limpet and over each protocol: it fetches, uploads, is
// answered before it has sent everything, gives up, and opens WebSockets and event streams. Browsers are stricter than other
// clients in places, and have faults of their own that have to be lived with.
//
// It has tests only, below the build tag browsers, which `make browsers` runs: Chromium is more than CI should fetch.
package browsers
