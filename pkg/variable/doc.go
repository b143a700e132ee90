// Package variable parses and expands text with variables of nginx, such as https://$host/auth?from=$escaped_request_uri.
//
// Only the variables of a fixed list are known. Text with any other variable is refused, so that it is never used with a
// part missing. Package translate parses text to check it, and filters expand it for each request. What a variable means for a
// request is decided by the Source.
package variable
