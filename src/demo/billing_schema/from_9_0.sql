-- What 9.0 added, as public addons assert it on an installed 9.0.5: credit notes, each with a row among the payments.

ALTER TABLE `tblaccounts`
  ADD COLUMN `type` varchar(64) NOT NULL DEFAULT '',
  ADD COLUMN `billingnoteid` int(10) unsigned NOT NULL DEFAULT '0',
  ADD COLUMN `relid` int(10) unsigned NOT NULL DEFAULT '0';

CREATE TABLE `tblbillingnotes` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `note_type` varchar(16) NOT NULL,
  `custom_number` varchar(255) NOT NULL DEFAULT '',
  `client_id` int(10) unsigned NOT NULL,
  `date_issued` date DEFAULT NULL,
  `subtotal` decimal(16,2) NOT NULL DEFAULT '0.00',
  `tax` decimal(16,2) NOT NULL DEFAULT '0.00',
  `tax2` decimal(16,2) NOT NULL DEFAULT '0.00',
  `total` decimal(16,2) NOT NULL DEFAULT '0.00',
  `taxrate` decimal(10,3) NOT NULL DEFAULT '0.000',
  `taxrate2` decimal(10,3) NOT NULL DEFAULT '0.000',
  `status` varchar(16) NOT NULL,
  `notes` text NOT NULL,
  `created_at` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  `updated_at` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (`id`),
  KEY `client_id` (`client_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE `tblbillingnoteitems` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `billingnote_id` int(10) unsigned NOT NULL,
  `description` text NOT NULL,
  `amount` decimal(16,2) NOT NULL DEFAULT '0.00',
  PRIMARY KEY (`id`),
  KEY `billingnote_id` (`billingnote_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
