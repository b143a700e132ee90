package exchange

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

func TestFailure_reason(t *testing.T) {
	for _, c := range []struct {
		f    failure
		want string
	}{
		{failure{}, ""},
		{failure{dialFailed, syscall.ECONNREFUSED}, "dial_refused"},
		{failure{dialFailed, os.ErrDeadlineExceeded}, "dial_timeout"},
		{failure{dialFailed, syscall.ENETUNREACH}, "dial_failed"},
		{failure{connLost, syscall.ECONNRESET}, "reset"},
		{failure{connLost, io.EOF}, "closed"},
		{failure{streamRefused, errors.New("refused")}, "refused_stream"},
		{failure{responseTimeout, nil}, "response_timeout"},
		{failure{invalidResponse, http1.ErrCoding}, "invalid_response"},
		{failure{invalidResponse, io.EOF}, "incomplete_response"},
		{failure{requestBodyFailed, http1.ErrChunkSize}, "request_body"},
		{failure{requestBodyFailed, ErrBusy}, "overload"},
	} {
		if got := c.f.reason().String(); got != c.want {
			t.Errorf("%v: %q, want %q", c.f, got, c.want)
		}
	}
}

func TestGRPCStatus_followsMapping(t *testing.T) {
	for status, want := range map[int]int{400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14, 413: 2, 302: 2} {
		if got := grpcStatus(status); got != want {
			t.Errorf("%d: %d, want %d", status, got, want)
		}
	}
	if got := string(appendPercentEncoded(nil, []byte("a %\n\xff"))); got != "a %25%0A%FF" {
		t.Errorf("encoded as %q", got)
	}
}
