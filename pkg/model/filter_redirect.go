package model

// HTTPSRedirect redirects cleartext requests to HTTPS, on the same host and path.
type HTTPSRedirect struct {
	Status int `json:"status"`
	// DropsTrailingSlash leaves out a slash at the end of the path, as ingress-nginx does by default.
	DropsTrailingSlash bool `json:"dropsTrailingSlash,omitempty"`
}

// Redirect redirects requests. Either URL, Host or Path is set.
type Redirect struct {
	Status int `json:"status"`
	// URL is the absolute URL of the redirect. $scheme, $host, $http_host and $request_uri in it are parts of the request.
	URL string `json:"url,omitempty"`
	// Host is the host of the redirect, which keeps scheme, path and query.
	Host string `json:"host,omitempty"`
	// DropsTrailingSlash leaves out a slash at the end of the path for Host.
	DropsTrailingSlash bool `json:"dropsTrailingSlash,omitempty"`
	// Path is the absolute path of the redirect, which may contain a query. The scheme and the host are kept.
	Path string `json:"path,omitempty"`
	// IsRelative sends Path without the scheme and the host.
	IsRelative bool `json:"isRelative,omitempty"`
}

// SlashRedirect redirects requests for one path to the same path with a slash, and keeps the query.
type SlashRedirect struct {
	// Path is the normalized path without the slash. Other paths are not redirected.
	Path       string `json:"path"`
	IsRelative bool   `json:"isRelative,omitempty"`
}
