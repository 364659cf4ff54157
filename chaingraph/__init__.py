"""The graph itself: settings, change sets, stores, snapshots, views and the workspace that opens them."""
