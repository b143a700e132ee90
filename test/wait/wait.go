// Package wait lets tests wait for conditions.
//
// It decides how often a condition is checked and when a test gives up. What the condition is, the test decides.
package wait

import (
	"testing"
	"time"
)

// Limit is the time after which Until fails. A test that passes never waits so long, however slow the machine is.
const Limit = time.Minute

// Until returns when holds returns true. It fails the test if that takes longer than Limit; what names the condition, as
// in "the process is ready". The checks become less frequent the longer it takes, from every millisecond to every 20.
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(Limit)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, 20*time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %s in vain: %s", Limit, what)
		}
		<-time.After(pause)
	}
}
