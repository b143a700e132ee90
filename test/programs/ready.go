package programs

import (
	"net/http"
	"testing"
	"time"
)

// AwaitReady waits until the limpet with that admin address says that it is ready, for as long as a slow machine may need.
func AwaitReady(tb testing.TB, admin string) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !isReady(admin); <-tick.C {
		if time.Now().After(deadline) {
			tb.Fatal("limpet does not become ready")
		}
	}
}

func isReady(admin string) bool {
	answer, err := (&http.Client{Timeout: time.Second}).Get("http://" + admin + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
