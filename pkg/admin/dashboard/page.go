package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"path"
	"time"
)

// assets are the built files of ui. hack/dashboard.sh writes them.
//
//go:embed ui/dist
var assets embed.FS

// contentPolicy allows the page only its own script, style sheet and API. Nothing may frame it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page returns the handler of the page and its files, which are the same for everyone.
func Page() http.Handler {
	mux := http.NewServeMux()
	for pattern, name := range map[string]string{
		"GET /{$}":                 "index.html",
		"GET /assets/app.js":       "app.js",
		"GET /assets/app.css":      "app.css",
		"GET /assets/icon.svg":     "icon.svg",
		"GET /assets/licenses.txt": "licenses.txt",
	} {
		mux.HandleFunc(pattern, serveAsset(name))
	}
	return mux
}

func serveAsset(name string) http.HandlerFunc {
	content, err := assets.ReadFile(path.Join("ui/dist", name))
	if err != nil {
		panic(fmt.Sprintf("dashboard: the binary has no %s: %v", name, err)) // a mistake in the build
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
}
