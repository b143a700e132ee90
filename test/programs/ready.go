package programs

import (
	"net/http"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/wait"
)

// AwaitReady waits until /readyz of the given admin address succeeds, with a timeout for slow machines.
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
