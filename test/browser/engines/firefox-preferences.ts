/** Preferences of a Firefox that is driven by a program and asks nothing of anybody but what its page asks for. */
export function firefoxPreferences(proxyPort: number): Readonly<Record<string, string | number | boolean>> {
  return {
    ...quiet,
    // Whatever the list misses gets to the proxy and no further. Loopback addresses are always direct.
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': proxyPort,
    'network.proxy.ssl': '127.0.0.1',
    'network.proxy.ssl_port': proxyPort,
    'network.proxy.allow_bypass': false,
    'network.proxy.failover_direct': false,
  };
}

const quiet = {
  // Is there a network, and does it want a login? Both are asked of hosts of Mozilla.
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  // Names are looked up by the system, and only when they are needed.
  'network.trr.mode': 5,
  'doh-rollout.disable-heuristics': true,
  'network.dns.disablePrefetch': true,
  // Nothing is fetched or connected ahead of a click.
  'network.prefetch-next': false,
  'network.predictor.enabled': false,
  'network.http.speculative-parallel-limit': 0,
  'browser.urlbar.speculativeConnect.enabled': false,
  'browser.places.speculativeConnect.enabled': false,

  // Telemetry, studies, experiments, crash reports, the daily ping of use.
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.usage.uploadEnabled': false,
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.unified': false,
  'toolkit.telemetry.server': '',
  'telemetry.fog.test.localhost_port': -1,
  'browser.tabs.crashReporting.sendReport': false,
  'app.normandy.enabled': false,
  'app.normandy.api_url': '',
  'app.shield.optoutstudies.enabled': false,
  'messaging-system.rsexperimentloader.enabled': false,
  'browser.discovery.enabled': false,

  // Remote settings: lists of certificates, search engines, blocked add-ons and much else. Firefox heeds this one only
  // together with MOZ_DISABLE_NONLOCAL_CONNECTIONS, and knows this very value as `off`.
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'security.remote_settings.crlite_filters.enabled': false,
  'security.remote_settings.intermediates.enabled': false,
  'extensions.blocklist.enabled': false,

  // Safe browsing: its lists, and the look-ups of downloads.
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.blockedURIs.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'privacy.trackingprotection.enabled': false,
  'privacy.trackingprotection.pbmode.enabled': false,
  // Is a certificate revoked, is somebody in the middle?
  'security.OCSP.enabled': 0,
  'security.certerrors.mitm.priming.enabled': false,

  // Updates: of Firefox, add-ons, search engines, media plugins.
  'app.update.disabledForTesting': true,
  'app.update.auto': false,
  'extensions.update.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'browser.search.update': false,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-manager.url': '',

  // Where is this? And push messages, accounts, suggestions, translations, models.
  'browser.region.network.url': '',
  'browser.region.update.enabled': false,
  'geo.provider.network.url': '',
  'dom.push.connection.enabled': false,
  'identity.fxaccounts.enabled': false,
  'browser.urlbar.suggest.searches': false,
  'browser.urlbar.merino.endpointURL': '',
  'browser.translations.enable': false,
  'browser.ml.enable': false,

  // What a new profile, a new tab and a new version show.
  'browser.aboutwelcome.enabled': false,
  'browser.startup.page': 0,
  'browser.startup.homepage': 'about:blank',
  'browser.startup.homepage_override.mstone': 'ignore',
  'startup.homepage_welcome_url': 'about:blank',
  'browser.newtabpage.enabled': false,
  'browser.topsites.contile.enabled': false,
  'browser.newtabpage.activity-stream.feeds.system.topstories': false,
  'browser.newtabpage.activity-stream.showSponsored': false,
  'browser.newtabpage.activity-stream.showSponsoredTopSites': false,
  'browser.shell.checkDefaultBrowser': false,
  'termsofuse.bypassNotification': true,
} as const;
