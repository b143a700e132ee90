package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadToken(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // "" for an error
	}{
		"token":             {"0123456789abcdef\n", "0123456789abcdef"},
		"empty":             {"", ""},
		"too short":         {"secret", ""},
		"too long":          {strings.Repeat("x", maxToken+1), ""},
		"two lines":         {"0123456789abcdef\n0123456789abcdef", ""},
		"surrounding space": {"  0123456789abcdef \r\n", "0123456789abcdef"},
	} {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readToken(file)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := readToken(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file is accepted")
	}
}

// pageStatus returns the status of a debug page for a bearer token.
func pageStatus(t *testing.T, address, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/table", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestDev_debugPagesNeedToken(t *testing.T) {
	const secret = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "dev", "--manifests", t.TempDir(), "--admin-trust-loopback=false", "--admin-token-file", file)
	for token, want := range map[string]int{"": 401, "fedcba9876543210": 401, secret: 200} {
		if got := pageStatus(t, p.admin, token); got != want {
			t.Errorf("token %q: status %d, want %d", token, got, want)
		}
	}
	if status, _ := statusOf(p.admin, "/metrics"); status != http.StatusOK {
		t.Errorf("metrics: status %d", status)
	}
	p.stop(t)
}
