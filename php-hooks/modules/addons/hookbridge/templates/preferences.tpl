{* Which alerts each person of the account gets. Everything comes from the bridge; everything is escaped. *}
{if $hb_problem}
  <div class="alert alert-warning">{$hb_problem|escape:'html'}</div>
{/if}
{if $hb}
  {if $hb.saved}<div class="alert alert-success" role="status">{$hb.saved|escape:'html'}</div>{/if}
  <p>{$hb.about|escape:'html'}</p>
  <form method="post" action="{$hb_link|escape:'html'}">
    <input type="hidden" name="hb_token" value="{$hb_token|escape:'html'}">
    {foreach $hb.people as $person}
      <fieldset class="card panel panel-default mb-3"><div class="card-body panel-body">
        <legend class="h5">{$person.name|escape:'html'}{if $person.number} <small class="text-muted">{$person.number|escape:'html'}</small>{/if}</legend>
        {if $person.note}<p class="text-muted">{$person.note|escape:'html'}</p>{/if}
        {foreach $person.kinds as $kind}
          {assign var=switch value="`$person.key`/`$kind.class`"}
          <div class="checkbox form-check">
            {if !$kind.fixed}<input type="hidden" name="hb_shown[{$switch|escape:'html'}]" value="{if $kind.on}1{else}0{/if}">{/if}
            <label>
              <input type="checkbox" name="hb_on[{$switch|escape:'html'}]" value="1"{if $kind.on} checked{/if}{if $kind.fixed} disabled{/if}>
              {$kind.label|escape:'html'} <small class="text-muted">{$kind.what|escape:'html'}</small>
            </label>
          </div>
        {/foreach}
      </div></fieldset>
    {/foreach}
    <button type="submit" class="btn btn-primary">{$hb.save|escape:'html'}</button>
  </form>
{/if}
