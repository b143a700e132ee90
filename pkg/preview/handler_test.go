package preview

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// post sends a body to a handler.
func post(t *testing.T, h http.Handler, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/check", body))
	return w
}

// discard reads manifests without objects.
func discard(r io.Reader) (*translate.Snapshot, error) {
	_, err := io.Copy(io.Discard, r)
	return &translate.Snapshot{}, err
}

func TestHandler_responses(t *testing.T) {
	small := func() *translate.Snapshot { return &translate.Snapshot{} }
	for name, c := range map[string]struct {
		snapshot func() *translate.Snapshot
		read     func(io.Reader) (*translate.Snapshot, error)
		body     string
		want     int
	}{
		"nothing":  {small, discard, "", http.StatusOK},
		"too long": {small, discard, strings.Repeat(" ", MaxBytes+1), http.StatusRequestEntityTooLarge},
		"invalid": {small, func(io.Reader) (*translate.Snapshot, error) { return nil, errors.New("line 3: no YAML") }, "",
			http.StatusBadRequest},
		"before the first table": {func() *translate.Snapshot { return nil }, discard, "", http.StatusServiceUnavailable},
		"large fleet": {func() *translate.Snapshot {
			return &translate.Snapshot{Ingresses: make([]*networkingv1.Ingress, maxIngresses+1)}
		}, discard, "", http.StatusServiceUnavailable},
	} {
		w := post(t, NewHandler(Handler{Snapshot: c.snapshot, Read: c.read}), strings.NewReader(c.body))
		if w.Code != c.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, c.want, w.Body)
		}
		if r := new(Report); c.want == http.StatusOK && json.Unmarshal(w.Body.Bytes(), r) != nil {
			t.Errorf("%s: got %s", name, w.Body)
		}
	}
}

func TestHandler_oneAtATime(t *testing.T) {
	reading, proceed := make(chan struct{}), make(chan struct{})
	h := NewHandler(Handler{Snapshot: func() *translate.Snapshot { return &translate.Snapshot{} },
		Read: func(io.Reader) (*translate.Snapshot, error) {
			reading <- struct{}{}
			<-proceed
			return &translate.Snapshot{}, nil
		}})
	first := make(chan int)
	go func() { first <- post(t, h, http.NoBody).Code }()
	<-reading
	if w := post(t, h, http.NoBody); w.Code != http.StatusServiceUnavailable {
		t.Errorf("during another check: status %d", w.Code)
	}
	close(proceed)
	if code := <-first; code != http.StatusOK {
		t.Errorf("the first one: status %d", code)
	}
	go func() { <-reading }()
	if w := post(t, h, http.NoBody); w.Code != http.StatusOK {
		t.Errorf("after it: status %d", w.Code)
	}
}
