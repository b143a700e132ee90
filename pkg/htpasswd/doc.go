// Package htpasswd reads files of users in the format of Apache's htpasswd and htdigest, and verifies passwords. It reads the
// files as nginx does, and knows the hashes that nginx verifies itself and those of crypt(3) that are in use: bcrypt, apr1,
// MD5, SHA-256 and SHA-512 crypt, {SHA}, {SSHA} and {PLAIN}.
//
// It does no I/O, and bounds the time that one verification takes.
package htpasswd
