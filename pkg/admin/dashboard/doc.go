// Package dashboard serves the page for operators and the JSON API that the page reads.
//
// The API has one resource per view of the page. Every resource is a document of bounded size: lists are searched and paged on
// the server. A client that accepts text/event-stream receives the document again whenever it changes. The package keeps a
// bounded history of traffic, which the sampler records.
//
// Access to the API and the address of the listener are decided by package admin. All text in documents is from objects of
// tenants, so the page inserts it as text and never as HTML.
package dashboard
