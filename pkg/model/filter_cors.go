package model

// CORS configures cross-origin resource sharing.
type CORS struct {
	// AnyOrigin allows all origins. Origins is then empty.
	AnyOrigin bool `json:"anyOrigin,omitempty"`
	// Origins are the allowed origins, in lower case. "*." after the scheme matches exactly one label.
	Origins []string `json:"origins,omitempty"`
	// Methods, Headers and ExposeHeaders are the values of the fields Access-Control-Allow-Methods, -Allow-Headers and
	// -Expose-Headers. An empty value sets no field.
	Methods       string `json:"methods,omitempty"`
	Headers       string `json:"headers,omitempty"`
	ExposeHeaders string `json:"exposeHeaders,omitempty"`
	// AllowCredentials sets Access-Control-Allow-Credentials.
	AllowCredentials bool `json:"allowCredentials,omitempty"`
	// MaxAge is the value of Access-Control-Max-Age, in seconds.
	MaxAge int `json:"maxAge"`
}
