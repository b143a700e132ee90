package dashboard

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func getAsset(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Page().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestPage_allowsOnlyItsOwnScript(t *testing.T) {
	w := getAsset(t, "/")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("the policy is %q, X-Frame-Options %q", policy, w.Header().Get("X-Frame-Options"))
	}
	for _, inline := range []string{`<script>`, `<style`, ` style=`, ` onclick=`, ` onload=`} {
		if strings.Contains(w.Body.String(), inline) {
			t.Errorf("the page has %s", inline)
		}
	}
}

func TestPage_servesEveryLinkedFile(t *testing.T) {
	types := map[string]string{"app.js": "text/javascript", "app.css": "text/css", "icon.svg": "image/svg+xml"}
	found := 0
	for _, link := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(getAsset(t, "/").Body.String(), -1) {
		found++
		w := getAsset(t, "/"+link[1])
		want := types[strings.TrimPrefix(link[1], "assets/")]
		if w.Code != http.StatusOK || want == "" || !strings.HasPrefix(w.Header().Get("Content-Type"), want) {
			t.Errorf("%s: status %d, type %q", link[1], w.Code, w.Header().Get("Content-Type"))
		}
	}
	if found != len(types) {
		t.Errorf("the page links to %d files, want %d", found, len(types))
	}
	if w := getAsset(t, "/assets/licenses.txt"); !strings.Contains(w.Body.String(), "MIT License") {
		t.Errorf("licenses.txt is %s", w.Body)
	}
}

// maxPage bounds all files together, uncompressed.
const maxPage = 150_000

func TestPage_isSmallAndSelfContained(t *testing.T) {
	size := 0
	external := regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z0-9.-]+`)
	allowed := regexp.MustCompile(`^(https?://www\.w3\.org|https://shop\.example\.com)`) // names of XML, and a placeholder
	err := fs.WalkDir(assets, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(assets, name)
		size += len(content)
		for _, link := range external.FindAllString(string(content), -1) {
			if !allowed.MatchString(link) {
				t.Errorf("%s has %s", name, link)
			}
		}
		return err
	})
	if err != nil || size > maxPage {
		t.Errorf("%d bytes, at most %d are allowed (%v)", size, maxPage, err)
	}
}
