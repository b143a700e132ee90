package translate

import (
	"errors"
	"strings"
)

// maxDirectives bounds the directives of a snippet.
const maxDirectives = 256

var (
	errSnippetBlock   = errors.New("it has a block")
	errSnippetSyntax  = errors.New("it is not complete configuration of nginx")
	errSnippetTooLong = errors.New("it has too many directives")
)

// parseSnippet returns the names of the directives in a snippet of nginx configuration. For directives that set a header
// field of requests it includes the name of the field, as in "proxy_set_header x-user". It only accepts simple directives,
// which end with a semicolon. It fails for a block, a brace, or text after the last semicolon.
//
// It reads tokens exactly as ngx_conf_read_token does, so that comments and quoted strings cannot hide a directive.
func parseSnippet(text string) ([]string, error) {
	p := snippetParser{text: text}
	var names []string
	for {
		name, err := p.directive()
		if err != nil || name == "" {
			return names, err
		}
		if len(names) == maxDirectives {
			return nil, errSnippetTooLong
		}
		names = append(names, name)
	}
}

type snippetParser struct {
	text string
	at   int
}

// directive reads one directive with its semicolon, and returns its name. At the end of the text it returns "".
func (p *snippetParser) directive() (string, error) {
	name, words := "", 0
	for {
		p.skipSpace()
		if p.at == len(p.text) {
			if words > 0 {
				return "", errSnippetSyntax
			}
			return "", nil
		}
		switch p.text[p.at] {
		case '{', '}':
			return "", errSnippetBlock
		case ';':
			p.at++
			if name == "" {
				return "", errSnippetSyntax
			}
			return name, nil
		}
		word, err := p.word()
		if err != nil {
			return "", err
		}
		switch {
		case words == 0:
			name = word
		case words == 1 && (name == "proxy_set_header" || name == "grpc_set_header"):
			name += " " + strings.ToLower(word)
		}
		words++
	}
}

// skipSpace skips white space and comments. A "#" begins a comment only where a token could begin.
func (p *snippetParser) skipSpace() {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case isSnippetSpace(c):
			p.at++
		case c == '#':
			end := strings.IndexByte(p.text[p.at:], '\n')
			if end < 0 {
				p.at = len(p.text)
				return
			}
			p.at += end + 1
		default:
			return
		}
	}
}

func isSnippetSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// word reads one token, without the quotes around it.
func (p *snippetParser) word() (string, error) {
	if c := p.text[p.at]; c == '"' || c == '\'' {
		return p.quoted(c)
	}
	start := p.at
	for afterDollar := false; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '\\':
			p.at++ // the next byte is literal
			afterDollar = false
		case c == '{' && afterDollar:
			afterDollar = false // ${variable}
		case isSnippetSpace(c), c == ';', c == '{':
			return p.text[start:p.at], nil
		default:
			afterDollar = c == '$'
		}
	}
	return "", errSnippetSyntax
}

// quoted reads a quoted string. White space, a semicolon or a brace must follow it.
func (p *snippetParser) quoted(quote byte) (string, error) {
	p.at++
	start := p.at
	for ; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\\':
			p.at++
		case quote:
			word := p.text[start:p.at]
			p.at++
			if p.at == len(p.text) || !isSnippetSpace(p.text[p.at]) && p.text[p.at] != ';' && p.text[p.at] != '{' {
				return "", errSnippetSyntax
			}
			return word, nil
		}
	}
	return "", errSnippetSyntax
}

// harmlessDirectives are the directives of nginx that do not affect access: header fields of responses, sizes, timeouts,
// buffers, compression, caching, logs, rate limits and TLS parameters. All others are treated as protection.
var harmlessDirectives = directiveSet(`
	add_header add_trailer expires etag charset default_type more_set_headers more_clear_headers
	proxy_hide_header proxy_pass_header
	client_max_body_size client_body_buffer_size client_body_timeout client_header_timeout client_header_buffer_size
	large_client_header_buffers keepalive_timeout keepalive_requests send_timeout reset_timedout_connection
	proxy_connect_timeout proxy_read_timeout proxy_send_timeout proxy_http_version proxy_socket_keepalive
	proxy_buffering proxy_request_buffering proxy_buffer_size proxy_buffers proxy_busy_buffers_size
	proxy_max_temp_file_size proxy_temp_file_write_size proxy_limit_rate proxy_ignore_client_abort
	proxy_force_ranges ignore_invalid_headers underscores_in_headers
	proxy_headers_hash_max_size proxy_headers_hash_bucket_size
	proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries
	proxy_redirect proxy_cookie_domain proxy_cookie_path proxy_cookie_flags
	proxy_ssl_server_name proxy_ssl_name proxy_ssl_session_reuse proxy_ssl_protocols proxy_ssl_ciphers
	proxy_cache proxy_cache_key proxy_cache_valid proxy_cache_bypass proxy_cache_lock proxy_cache_methods
	proxy_cache_min_uses proxy_cache_revalidate proxy_cache_use_stale proxy_no_cache
	grpc_connect_timeout grpc_read_timeout grpc_send_timeout grpc_buffer_size
	gzip gzip_buffers gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_types gzip_vary
	gunzip brotli brotli_comp_level brotli_min_length brotli_types
	sub_filter sub_filter_last_modified sub_filter_once sub_filter_types
	access_log error_log log_not_found log_subrequest server_tokens
	sendfile tcp_nodelay tcp_nopush chunked_transfer_encoding output_buffers postpone_output
	absolute_redirect port_in_redirect server_name_in_redirect http2_push_preload
	limit_rate limit_rate_after limit_req limit_req_status limit_req_log_level limit_req_dry_run
	limit_conn limit_conn_status limit_conn_log_level limit_conn_dry_run
	ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout ssl_session_tickets
	ssl_stapling ssl_buffer_size ssl_ecdh_curve
`)

// plainFields are the header fields of requests that do not identify the client to pods. If a snippet sets or clears another
// field, it may prevent clients from claiming another identity.
var plainFields = directiveSet(`
	host upgrade connection accept-encoding cache-control origin referer range if-range te early-data
	x-real-ip x-request-id x-request-start x-correlation-id x-scheme x-original-uri x-original-url x-original-method
	x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-scheme
	x-forwarded-server x-forwarded-ssl x-forwarded-uri
`)

// isHarmless reports whether a directive, as parseSnippet returns it, protects nothing.
func isHarmless(directive string) bool {
	_, field, setsField := strings.Cut(directive, "_set_header ")
	return harmlessDirectives[directive] || setsField && plainFields[field]
}

func directiveSet(names string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(names) {
		out[name] = true
	}
	return out
}
