package translate

import (
	"slices"
	"strings"
	"testing"
)

func TestSnippet_directives(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // names, or "!" for one that is not understood
	}{
		{"", ""},
		{" \t\r\n # deny all;", ""},
		{"add_header X-A b;", "add_header"},
		{"add_header X-A b; # deny all;\nexpires 1h;", "add_header expires"},
		{"add_header X-A b;deny all;", "add_header deny"},
		{"add_header X-A \"a; deny all; b\";", "add_header"},
		{`add_header X-A "a\"; deny all; b";`, "add_header"},
		{`add_header X-A 'it''s';`, "!"},
		{`add_header X-A a"b;deny all;`, "add_header deny"},
		{`add_header X-A a#b;deny all;`, "add_header deny"},
		{"add_header X-A \\;deny all;", "add_header"},
		{"add_header X-A ${host};deny all;", "add_header deny"},
		{"add_header X-A $host{deny all;}", "!"},
		{"add_header X-A \\${host};", "!"},
		{"# comment \r deny all;\nadd_header X b;", "add_header"},
		{`"deny" all;`, "deny"},
		{`d\eny all;`, `d\eny`},
		{"if ($host = a) { return 403; }", "!"},
		{"access_by_lua_block { ngx.exit(403) }", "!"},
		{"} location / {", "!"},
		{"add_header X-A b", "!"},
		{"add_header X-A 'b;", "!"},
		{"add_header X-A b\\", "!"},
		{";", "!"},
		{strings.Repeat("expires 1h;", maxDirectives+1), "!"},
	} {
		names, err := parseSnippet(c.text)
		got := strings.Join(names, " ")
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSnippet_protectiveDirectives(t *testing.T) {
	for _, name := range strings.Fields(`return deny allow auth_basic auth_basic_user_file auth_request auth_jwt satisfy internal
		limit_except access_by_lua access_by_lua_file rewrite_by_lua_file ssl_verify_client ssl_client_certificate
		proxy_ssl_verify proxy_ssl_trusted_certificate grpc_ssl_verify modsecurity modsecurity_rules include set rewrite
		proxy_pass root alias valid_referers secure_link more_clear_input_headers error_page try_files`) {
		if got := snippetEffect("add_header X-A b; "+name+" x;", nil); got != effectProtection {
			t.Errorf("%s is treated as harmless", name)
		}
	}
	for name := range harmlessDirectives {
		for _, word := range []string{"auth", "allow", "deny", "verify", "satisfy", "lua", "access_by", "return", "rewrite"} {
			if slices.Contains(strings.Split(name, "_"), word) {
				t.Errorf("%s is among the harmless directives", name)
			}
		}
	}
}

// FuzzSnippet: a snippet that is understood ends with a semicolon or a comment, and a protective directive after it is
// still seen.
func FuzzSnippet(f *testing.F) {
	for _, text := range []string{"add_header X-A b;", "add_header X 'a;b';", "a ${b};", "# c\n", `a "\"";`, "a\\ b;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseSnippet(text)
		if err != nil {
			return
		}
		more, err := parseSnippet(text + "\ndeny all;")
		if err == nil && !slices.Equal(more, append(slices.Clone(names), "deny")) {
			t.Errorf("%q has %q, and with a directive more %q", text, names, more)
		}
		if err != nil && len(names) < maxDirectives {
			t.Errorf("%q is understood, and with a directive more %v", text, err)
		}
	})
}
