package programs

import (
	"net/http"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/wait"
)

// AwaitReady waits until the limpet with that admin address says that it is ready, for as long as a slow machine may need.
func AwaitReady(tb testing.TB, admin string) {
	tb.Helper()
	wait.Until(tb, "limpet is ready", func() bool { return isReady(admin) })
}

func isReady(admin string) bool {
	answer, err := (&http.Client{Timeout: time.Second}).Get("http://" + admin + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
