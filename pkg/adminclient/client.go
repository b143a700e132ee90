package adminclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// defaultTimeout bounds a request.
	defaultTimeout = 30 * time.Second
	// maxResponse bounds the response in bytes.
	maxResponse = 64 << 20
	// maxMessage bounds the message of an error in bytes.
	maxMessage = 4 << 10
)

// Client sends requests to the admin listener of one replica.
type Client struct {
	// Name is the name of the replica for messages, such as the name of its pod.
	Name string
	// URL is the address of the admin listener, such as http://127.0.0.1:9090.
	URL *url.URL
	// Token is the bearer token. "" sends none.
	Token string
	// Dial connects to the listener. If it is nil, the client connects to the address in URL.
	Dial func(ctx context.Context) (net.Conn, error)
	// Timeout bounds a request with its response. Zero selects 30 seconds.
	Timeout time.Duration
}

// StatusError is a response with another status than 200.
type StatusError struct {
	Client  string
	Status  int
	Message string
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s responded %d %s", e.Client, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Get decodes the JSON response of a GET request into out. path may have a query.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, out)
}

// Post sends in as JSON and decodes the JSON response into out.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, "application/json", body, out)
}

// PostText sends text of a media type and decodes the JSON response into out.
func (c *Client) PostText(ctx context.Context, path, mediaType string, text []byte, out any) error {
	return c.do(ctx, http.MethodPost, path, mediaType, text, out)
}

func (c *Client) do(ctx context.Context, method, path, mediaType string, body []byte, out any) error {
	timeout := defaultTimeout
	if c.Timeout > 0 {
		timeout = c.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	target, err := c.URL.Parse(path)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.httpClient().Do(request)
	if err != nil {
		return fmt.Errorf("%s does not respond: %w", c.Name, cause(err))
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	return c.read(response, out)
}

// httpClient returns a client for one request. It follows no redirects, because they would carry the token elsewhere.
func (c *Client) httpClient() *http.Client {
	transport := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	if c.Dial != nil {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Dial(ctx) }
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// cause removes the method and the URL that net/http adds to an error.
func cause(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// read decodes a response, or returns the error that it is.
func (c *Client) read(response *http.Response, out any) error {
	if response.StatusCode != http.StatusOK {
		message, _ := io.ReadAll(io.LimitReader(response.Body, maxMessage)) // the status says enough
		return &StatusError{c.Name, response.StatusCode, strings.TrimSpace(string(message))}
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err != nil {
		return fmt.Errorf("%s: reading the response: %w", c.Name, err)
	}
	if len(text) > maxResponse {
		return fmt.Errorf("%s: the response is longer than %d bytes", c.Name, maxResponse)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s: invalid response: %w", c.Name, err)
	}
	return nil
}
